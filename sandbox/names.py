"""Invented French businesses, people and services; addresses lie in reserved example domains (RFC 2606)."""

import random
import re
import unicodedata
from dataclasses import dataclass

FAMILIES = (
    "Martin", "Lefèvre", "Rousseau", "Girard", "Moreau", "Fontaine", "Chevalier", "Gauthier", "Perrin", "Renard",
    "Marchand", "Blanchard", "Caron", "Noël", "Meunier", "Brunet", "Colin", "Leclerc", "Barbier", "Dumas", "Fabre",
    "Guérin", "Boyer", "Garnier", "Roussel", "Legrand", "Schmitt", "Aubert", "Picard", "Lemoine", "Rivière", "Besson",
    "Masson", "Vidal", "Royer", "Tessier", "Poirier", "Hubert", "Charpentier", "Delaunay",
)  # fmt: skip
TRADES = (
    "Atelier", "Boulangerie", "Cabinet", "Garage", "Menuiserie", "Pharmacie", "Librairie", "Imprimerie", "Agence",
    "Domaine", "Clinique", "Studio", "Brasserie", "Maison", "Jardins",
)  # fmt: skip
FIRST = (
    "Claire", "Julien", "Sophie", "Thomas", "Camille", "Nicolas", "Élodie", "Antoine", "Manon", "Hugo", "Inès",
    "Lucas", "Amélie", "Maxime", "Léa", "Romain", "Chloé", "Mathieu",
)  # fmt: skip
SERVICES = (
    ("Audit d’organisation", 1450), ("Journée de conseil", 890), ("Atelier stratégie", 1200),
    ("Accompagnement mensuel", 640), ("Formation Excel avancé", 520.5), ("Formation management", 980),
    ("Rédaction d’offre commerciale", 375), ("Étude de marché", 2350), ("Support téléphonique", 49.9),
    ("Suivi de projet", 310.75), ("Diagnostic RGPD", 1125), ("Mise en page de rapport", 86.4),
)  # fmt: skip
CITIES = (
    ("Lyon", "69003"), ("Nantes", "44000"), ("Lille", "59800"), ("Paris", "75011"), ("Bordeaux", "33000"),
    ("Rennes", "35000"), ("Strasbourg", "67000"), ("Toulouse", "31000"), ("Grenoble", "38000"),
)  # fmt: skip


@dataclass(frozen=True)
class Business:
    """One invented customer."""

    company: str
    first: str
    last: str
    email: str
    phone: str
    city: str
    postcode: str


def slug(text: str) -> str:
    """Text as part of an address."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def businesses(count: int, rng: random.Random) -> list[Business]:
    """Different businesses led by different people, the same for the same seed."""
    pairs = [(trade, family) for trade in TRADES for family in FAMILIES]
    rng.shuffle(pairs)
    firsts = {family: rng.sample(FIRST, len(FIRST)) for family in FAMILIES}
    return [_business(trade, family, firsts[family].pop(), rng) for trade, family in pairs[:count]]


def _business(trade: str, family: str, first: str, rng: random.Random) -> Business:
    company = f"{trade} {family}"
    city, postcode = rng.choice(CITIES)
    email = f"{rng.choice(('compta', 'contact', 'bonjour', 'factures'))}@{slug(company)}.example"
    return Business(company, first, family, email, f"+331{rng.randrange(10**8):08d}", city, postcode)
