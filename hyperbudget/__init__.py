"""hyperbudget: what does a learnable parameter buy, and where is it best spent?

Parameter-budget studies of hypernetworks (Ha, Dai & Le 2016, arXiv 1609.09106).
"""

__version__ = "0.1.0"
