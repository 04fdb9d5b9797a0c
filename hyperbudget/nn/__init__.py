"""The networks: kernel sources and the convnets that use them. Needs torch alone; ``nn.spec`` not even that."""
