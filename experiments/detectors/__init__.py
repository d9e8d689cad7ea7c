"""4.3: the U-nets that mark regions of interest, from their training to the heat maps of a decomposition."""
