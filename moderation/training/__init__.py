"""How the bundled model is made: data in, one small encoder and its calibration out.

Nothing here is imported by the service. It needs the `train` extra (torch, onnx, pyarrow); the engine that serves
what is made here needs only onnxruntime and tokenizers.
"""
