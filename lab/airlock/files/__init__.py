"""The kinds of file that may leave (文件格式): recognising, reading and inspecting each of them."""
