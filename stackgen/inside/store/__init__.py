"""What runs inside Spack's own Python to install packages."""
