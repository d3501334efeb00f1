"""The networks. Each has `arguments`: what its constructor needs to make it again."""
