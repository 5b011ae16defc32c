"""Pictures that are changed on purpose, by somebody who has the weights, until the answer is wrong."""
