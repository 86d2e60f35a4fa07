"""The words that bills need about readings, in English and German."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "meter": "Meter",
            "meter_register": "{meter}, register {register}",
            "previous": "Previous read",
            "current": "Current read",
            "read": "{value} on {date} ({quality})",
            "read_unstated": "{value} on {date}",
            "not_given": "not given",
            "difference": "Difference",
            "rolled": "{difference} (register passed zero)",
            "multiplier": "Multiplier",
            "consumption": "Consumption",
            "quantity_given": "Quantity as delivered",
            "share": "Share of this part",
            "share_of": "{part} of {whole} days: {quantity}",
            "channel": "Channel {channel}",
            "values": "{count} values of {minutes} minutes",
            "values_estimated": "{count} values of {minutes} minutes, {estimated} of them estimated",
            "actual": "actual",
            "estimated": "ESTIMATED",
            "customer": "read by customer",
            "substituted": "ESTIMATED (substituted)",
            "final": "final",
            "tier": "tier {number}",
            "demand": "highest demand",
            "demand_at": "{quantity} on {date}, {time}",
            "billed_demand": "Billed demand",
            "note_estimated": "Consumption marked as estimated rests on an estimate; the next actual reading corrects it.",
        },
        "de": {
            "meter": "Zähler",
            "meter_register": "{meter}, Zählwerk {register}",
            "previous": "Alter Stand",
            "current": "Neuer Stand",
            "read": "{value} am {date} ({quality})",
            "read_unstated": "{value} am {date}",
            "not_given": "nicht angegeben",
            "difference": "Differenz",
            "rolled": "{difference} (Zählwerk über null gelaufen)",
            "multiplier": "Wandlerfaktor",
            "consumption": "Verbrauch",
            "quantity_given": "Menge laut Lieferung",
            "share": "Anteil dieses Teils",
            "share_of": "{part} von {whole} Tagen: {quantity}",
            "channel": "Kanal {channel}",
            "values": "{count} Werte zu {minutes} Minuten",
            "values_estimated": "{count} Werte zu {minutes} Minuten, davon {estimated} geschätzt",
            "actual": "abgelesen",
            "estimated": "GESCHÄTZT",
            "customer": "vom Kunden abgelesen",
            "substituted": "GESCHÄTZT (Ersatzwert)",
            "final": "endgültig",
            "tier": "Stufe {number}",
            "demand": "höchste Leistung",
            "demand_at": "{quantity} am {date}, {time}",
            "billed_demand": "Verrechnete Leistung",
            "note_estimated": "Als geschätzt bezeichneter Verbrauch ist eine Schätzung; die nächste Ablesung berichtigt ihn.",
        },
    }
)


def word(locale: str, key: str, **values: object) -> str:
    """Return the wording `key` in the language of `locale`, in English where the plugin does not speak it."""
    words = _WORDS.get(locale.replace("-", "_").split("_")[0], _WORDS["en"])
    return words[key].format(**values)
