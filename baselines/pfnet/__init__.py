"""PFNet (AAAI 2021): progressive fusion of RGB with NI and with TI, five branches in all."""
