"""A walk down the chain of trust in words, for evidence and for the sentences of an item."""

from __future__ import annotations

from checks.facts.dns import Chain, ChainStep, StepKind

_AT_THE_CUT = (StepKind.NO_DS, StepKind.ISLAND, StepKind.OPT_OUT)


def records(step: ChainStep) -> str:
    return f"{step.rdtype} {step.name}"


def zone(step: ChainStep) -> str:
    """The zone to mend: of a missing DS the one below, of all else the one that had to vouch."""
    return step.name if step.kind in _AT_THE_CUT else step.zone


def tags(step: ChainStep) -> str:
    return ", ".join(str(tag) for tag in step.keys) or "-"


def moment(step: ChainStep) -> str:
    return f"{step.at:%Y-%m-%d %H:%M} UTC" if step.at else "-"


def told(chain: Chain | None) -> str:
    """One line: status, the zones that vouch for each other, the step that ends it."""
    if chain is None:
        return "-"
    text = f"{chain.status.value}: {' > '.join(chain.zones) or '-'}"
    step = chain.step
    if step is not None:
        keys, at = f", keys {tags(step)}" if step.keys else "", f", {moment(step)}" if step.at else ""
        text += f"; {step.kind.value} at {records(step)} (zone {step.zone}{keys}{at})"
    return text + (f", behind the alias {chain.alias}" if chain.alias else "")
