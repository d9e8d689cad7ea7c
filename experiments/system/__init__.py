"""What every command needs and has nothing to do with mammograms: errors, files, processes, progress, the terminal."""
