"""What runs in kernels and engines of notebooks, in the frameworks' own Pythons from 3.6 on."""
