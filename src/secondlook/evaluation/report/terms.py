"""What the words of the report mean, for readers of medicine, not of statistics."""

from secondlook.evaluation.report.section import Section, Source, Table
from secondlook.evaluation.scope import name_groups

TERMS = {
    "95 % interval": "Where the figure would lie in most other samples of this kind. Whole {groups} are drawn with "
    "replacement many times (bootstrap), and the middle 95 % of what comes out is taken.",
    "Adaptive, expected calibration error": "By how much the probabilities differ from what then is so, on average; 0 "
    "is best.",
    "AUC": "The chance that a picture with the condition gets a higher probability than one without it; 0.5 is "
    "guessing, 1 is perfect.",
    "Average precision": "The area under the precision–recall curve; guessing gives the condition's share.",
    "Balanced accuracy": "The mean of the sensitivities to all labels, so that rare ones count as much as common ones.",
    "Brier score": "The mean squared distance of the probabilities from what is so; 0 is best.",
    "Clopper–Pearson": "The exact interval of a share, as if every picture were of another patient.",
    "Kappa": "Agreement of the named with the true label beyond chance: 0 is chance, 1 is perfect. Quadratic: a grade "
    "missed by two counts four times one missed by one.",
    "Named label": "The condition that the answer names: the one whose probability stands highest above its usual "
    "share.",
    "Negative log-likelihood": "The surprise at the true label, given the probabilities; 0 is best.",
    "PPV, NPV": "Positive and negative predictive value: the share of flagged pictures that have the condition, and of "
    "the others that have it not. Both depend on how common the condition is.",
    "Prediction set": "The conditions that cannot be told apart for this picture; of one kind, nine sets in ten should "
    "hold the true one.",
    "Scaling": "Correcting the network's probabilities so that they hold what they say, without changing their order.",
    "Sensitivity, specificity": "The share of the diseased that is found, and of the others that is left alone.",
    "Triage": "What the answer asks for: urgent, refer, routine, or not evaluable, which means that the picture is "
    "too bad, or too strange to the model, to be judged.",
}


def write_section(source: Source) -> Section:
    """Write the words, in the order of the alphabet."""
    rows = tuple((word, meaning.format(groups=name_groups(source.task))) for word, meaning in TERMS.items())
    return Section(
        key="terms",
        title="What the words mean",
        intro="",
        tables=(Table("terms", "Words of this report", ("Word", "Meaning"), rows),),
    )
