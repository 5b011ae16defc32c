"""The model card and the checklists of a bundle, written from its evidence in every language by the same code.

Mitchell et al. 2019, "Model Cards for Model Reporting", doi 10.1145/3287560.3287596.
"""
