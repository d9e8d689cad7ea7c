"""What a run is: every number of Tables 4.1, 4.4 and 4.5, with presets and flags."""
