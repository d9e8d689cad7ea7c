"""The networks of the thesis, made of the engine's layers: the multi-layer perceptron, the VGG and the U-net."""
