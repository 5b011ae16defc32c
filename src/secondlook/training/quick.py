"""A recipe cut down until it is over in two minutes on one core: does everything run, from data to evidence?

Its figures mean nothing; that the recipe reads its data, builds its network, trains, exports and is measured does.
"""

from secondlook.training.families import FAMILIES
from secondlook.training.recipe import Recipe
from secondlook.training.zoo.pretrained import takes_one_size

GROUPS = 8
BATCH = 4
SIDE_PX = 96


def make_quick(recipe: Recipe) -> Recipe:
    """Return a recipe with one short epoch per stage, few pictures, and no weights to fetch.

    Networks that take pictures of any size get small ones; the others keep theirs.
    """
    content = recipe.model_dump(mode="json")
    content["name"] = f"{recipe.name}-quick"
    content["about"] = f"A trial of {recipe.name}; its figures mean nothing."
    content["data"]["limit"] = GROUPS
    content["model"]["weights"] = "none"
    content["optimiser"]["batch_size"] = min(BATCH, recipe.optimiser.batch_size)
    content["machine"] |= {"precision": "fp32", "device": "cpu"}
    content["export"] |= {"foreign": None, "start_share": 0, "members": []}
    for stage in content["stages"]:
        stage["epochs"] = 1
    if FAMILIES[recipe.model.family].on_timm and not takes_one_size(recipe.model.name):
        content["data"]["cache_px"] = content["export"]["input_size_px"] = SIDE_PX
        for stage in content["stages"]:
            stage["size_px"] = SIDE_PX
    return Recipe.model_validate(content)
