"""Policies for use elsewhere: numpy, ONNX, TorchScript."""
