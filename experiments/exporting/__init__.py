"""A trained network as other programs take it: an ONNX file, a folder for a hub of models."""
