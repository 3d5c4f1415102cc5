# Validates files of payment orders by the schema of ISO 20022 pain.001.001.09 as another library carries it, and adds
# their amounts up anew. Exit status 1 where a file is not valid.
import decimal
import importlib.resources
import sys

import xmlschema

schema = xmlschema.XMLSchema(str(importlib.resources.files("sepaxml") / "schemas" / "pain.001.001.09.xsd"))
for path in sys.argv[1:]:
    errors = [error.reason for error in schema.iter_errors(path)]
    if errors:
        sys.exit(f"{path}: {errors}")
    document = schema.to_dict(path, decimal_type=str)["CstmrCdtTrfInitn"]
    for batch in document["PmtInf"]:
        amounts = [transfer["Amt"]["InstdAmt"]["$"] for transfer in batch["CdtTrfTxInf"]]
        total = sum(map(decimal.Decimal, amounts))
        for place in (document["GrpHdr"], batch):
            assert place["NbOfTxs"] == str(len(amounts)), place
            assert decimal.Decimal(place["CtrlSum"]) == total, place
    print(path, len(amounts), total)
