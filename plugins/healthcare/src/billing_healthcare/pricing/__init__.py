"""What a line costs and what the contract allows for it: fee arithmetic and rules over many lines."""
