"""What a run is on disk and how it goes on: its folder, checkpoints, provenance, training, resuming."""
