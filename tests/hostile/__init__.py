"""Far sides that mean harm, each with what fedisec may say about them: `model.py` first."""
