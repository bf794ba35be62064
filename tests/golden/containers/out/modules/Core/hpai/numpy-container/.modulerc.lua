module_version("hpai/numpy-container/2.3.4", "default", "2.3")
