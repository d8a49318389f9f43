"""Export of policies to other programs: numpy, ONNX, TorchScript."""
