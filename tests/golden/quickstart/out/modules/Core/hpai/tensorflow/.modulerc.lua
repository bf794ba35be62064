module_version("hpai/tensorflow/2.21.0", "default", "2.21")
