"""How networks are trained: the loop, schedules, devices and checkpoints."""
