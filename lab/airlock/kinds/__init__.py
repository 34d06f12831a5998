"""The formats of files that leave (出域格式): read into a model, judged and shown from it, rewritten by the airlock."""
