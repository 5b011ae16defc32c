"""Who was measured: from the manifest to the figures, and what the leak audit found."""

from secondlook.evaluation.report.section import Cell, Section, Source, Table
from secondlook.evaluation.scope import name_groups


def write_section(source: Source) -> Section | None:
    """Write the flow of pictures and patients, as STARD asks for it."""
    flow = source.evidence.get("flow")
    if not flow:
        return None
    steps: list[tuple[str, dict[str, int]]] = [
        *((f"In the manifest, split {part['split']}", part) for part in flow["splits"]),
        ("Calibrated on", flow["fitted_on"]),
        ("To be measured", flow["asked"]),
        ("Measured", flow["measured"]),
        ("Of these, evaluable", flow["evaluable"]),
    ]
    rows: list[tuple[Cell, ...]] = [(name, step["pictures"], step["groups"]) for name, step in steps]
    left_out = "\n\n".join(flow["left_out"])
    clean = flow["leak"] == "none"
    return Section(
        key="flow",
        title="Flow of pictures and leak audit",
        intro=(
            "Groups (patients or lesions) are never parted between splits. The audit looks for a group, a file, a "
            "picture or a near-duplicate that lies in two splits. Pictures that the model calls not evaluable are "
            "measured "
            f"like all others, so that no figure improves by refusing hard ones.\n\n{left_out}"
        ),
        verdict="The audit found no leak." if clean else f"Every figure is marked: {flow['leak']}.",
        doubtful=not clean,
        tables=(
            Table(
                "flow", "From manifest to figures", ("", "Pictures", name_groups(source.task).capitalize()), tuple(rows)
            ),
        ),
    )
