"""The networks: kernel sources and the convnets that use them. Needs torch alone, and
``nn.spec`` not even that; ``nn.export`` imports safetensors or ONNX when it writes them."""
