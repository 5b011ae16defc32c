"""The card's beginning: what the bundle is, what it is for, for whom, and what it is not for."""

from secondlook.conditions import Language
from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.voice import join_parts, space_french, write_list
from secondlook.evaluation.scope import SCOPES, find_notes
from secondlook.imaging.resize import read_size
from secondlook.inference.bundle import CARDS, CHECKLISTS


def write_head(source: Source) -> str:
    """Return the title, what the bundle is in a line, the mark of a leak, and where the other pages are."""
    facts, task, voice = source.facts, source.task, source.voice
    name = task.names[voice.language]
    title = f"# {facts.name} {facts.version}{voice(en=':', fr=' :')} {name[:1].lower()}{name[1:]}"
    height, width = read_size(facts.input_size_px)
    stretched = facts.resize == "stretch"
    whole = voice(
        en="the whole picture" if stretched else "the central part of the picture",
        fr="l’image entière" if stretched else "la partie centrale de l’image",
    )
    what = voice(
        en=f"A model of Secondlook for the task `{task.key}`: {width}×{height} px, {whole}, {_count_views(source)}. "
        f"Licence of the weights: {facts.licence}.",
        fr=f"Un modèle de Secondlook pour la tâche `{task.key}` : {width}×{height} px, {whole}, "
        f"{_count_views(source)}. Licence des poids : {facts.licence}.",
    )
    leak = source.evidence.leak
    mark = voice(
        en=f"> **Every figure here is marked:** {leak}",
        fr=f"> **Chaque chiffre ci-dessous est à lire avec réserve :** {leak}",
    )
    other: Language = "fr" if voice.language == "en" else "en"
    more = voice(
        en=f"[Cette fiche en français]({CARDS[other]}) · [Reporting checklists]({CHECKLISTS['en']})",
        fr=f"[This card in English]({CARDS[other]}) · [Listes de contrôle]({CHECKLISTS['fr']})",
    )
    return join_parts(title, what, mark if leak != "none" else "", more)


def _count_views(source: Source) -> str:
    views, members, voice = source.facts.graph.views, source.facts.graph.members, source.voice
    networks = (
        voice(
            en=f"the mean of {members} networks, ",
            fr=f"moyenne de {members} réseaux, ",
        )
        if members > 1
        else ""
    )
    if views == 1:
        return networks + voice(en="one view of each picture", fr="une vue de chaque image")
    averaged = voice(en=f"{views} views of each picture averaged", fr=f"moyenne de {views} vues de chaque image")
    if not source.facts.graph.scales:
        return networks + averaged
    scales = [voice.decimal(scale, 2) for scale in source.facts.graph.scales]
    return (
        networks
        + averaged
        + voice(
            en=f", magnified {', '.join(scales)} times",
            fr=f", agrandies {', '.join(scales)} fois",
        )
    )


def write_purpose(source: Source) -> str:
    """Return what the bundle is for, who it is made for, and what it is not for."""
    voice, task = source.voice, source.task
    scope, language = SCOPES[task.key], source.voice.language
    labels = len(task.labels)
    urgent = voice(en="urgent, ", fr="urgent, ") if task.urgency == "urgent" else ""
    purpose = voice(
        en="## What it is for\n\nA second look at "
        f"**{scope.subject['en']} of the kind that it was trained on** (see Data). It gives calibrated probabilities "
        f"of {labels} labels, from them the probability of {source.risk}, a triage ({urgent}refer, routine or not "
        "evaluable) with its reasons, and a heatmap. It also serves research and teaching.\n\nIt supports a decision. "
        "It does not diagnose, and no regulator has cleared it.",
        fr="## À quoi il sert\n\nUn second regard sur "
        f"**{scope.subject['fr']}, du type de celles de son apprentissage** (voir Données). Il donne les probabilités "
        f"calibrées de {labels} classes, dont découlent la probabilité {source.of_risk}, un triage ({urgent}à "
        "adresser, suivi habituel ou non évaluable) avec ses motifs, et une carte de chaleur. Il sert aussi à la "
        "recherche et à l’enseignement.\n\nIl aide à décider. Il ne pose pas de diagnostic, et aucune autorité ne l’a "
        "autorisé comme dispositif médical.",
    )
    users = voice(
        en="## Who it is for\n\nIt is made for "
        f"{scope.users['en']}. It asks for no training in machine learning, but for the competence to judge the case "
        "without it. It is not made for patients.",
        fr="## À qui il s’adresse\n\nIl s’adresse aux professionnels : "
        f"{scope.users['fr']}. Aucune formation en apprentissage automatique n’est requise, mais la compétence de "
        "juger le cas sans lui. Il ne s’adresse pas aux patients.",
    )
    excluded = voice(en="## What it is not for", fr="## À quoi il ne sert pas")
    lines = [space_french(line) if language == "fr" else line for line in _list_excluded(source)]
    return join_parts(purpose, users, excluded, write_list(lines))


def _list_excluded(source: Source) -> list[str]:
    voice, language = source.voice, source.voice.language
    notes = find_notes(source.facts.training.data)
    return [
        voice(
            en=f"Deciding alone, or reassuring anybody: a *routine* answer does not rule {source.risk} out.",
            fr="Décider seul, ou rassurer qui que ce soit : une réponse « suivi habituel » n’exclut pas "
            f"{source.the_risk}.",
        ),
        *(line[language] for note in notes for line in note.excluded),
        *(line[language] for line in SCOPES[source.task.key].excluded),
        voice(
            en="Pictures from other instruments, cameras or hospitals, unless they were measured first: accuracy drops "
            "there.",
            fr="Les images d’autres appareils, caméras ou hôpitaux, sauf à l’avoir d’abord évalué sur elles : il y est "
            "moins exact.",
        ),
        voice(
            en="People whom its data hardly hold.", fr="Les personnes presque absentes de ses données d’apprentissage."
        ),
    ]
