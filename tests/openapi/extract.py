#!/usr/bin/env python3
"""Makes the descriptions that tests/sdk holds billd's answers against, out of Stripe's own OpenAPI files.

    extract.py FILE... --into FOLDER        # FILE: spec3.json or spec3.yaml; FOLDER gets VERSION.json.gz for each

Kept are the list of all operations, and of those that bill recurringly (`families`) what they answer and take: JSON
schemas without their prose. Of other objects than `objects` only the kind is described.
"""

import argparse
import gzip
import json
import pathlib
import re

families = """
    account balance_transactions charges coupons credit_notes customers events invoiceitems invoices payment_intents
    payment_methods plans prices products promotion_codes refunds setup_intents sources subscription_items
    subscription_schedules subscriptions tax_rates test_helpers/test_clocks tokens webhook_endpoints
""".split()

# Objects of these kinds are described to their last member.
objects = set("""
    account bank_account card charge coupon credit_note credit_note_line_item customer customer_balance_transaction
    deleted_bank_account deleted_card deleted_coupon deleted_customer deleted_discount deleted_invoice
    deleted_invoiceitem deleted_plan deleted_product deleted_subscription_item deleted_test_helpers.test_clock
    deleted_webhook_endpoint discount error event invoice invoice_item invoice_line_item invoiceitem item line_item
    notification_event payment_intent payment_method payment_source plan price product promotion_code refund
    setup_intent subscription subscription_item subscription_schedule tax_id tax_rate test_helpers.test_clock token
    usage_record usage_record_summary webhook_endpoint
""".split())

prose = {"description", "title", "example", "format"}


def read(path):
    text = path.read_text()
    if path.suffix == ".json":
        return json.loads(text)
    import yaml

    return yaml.load(text, Loader=yaml.CSafeLoader)


def is_of_family(path):
    return any(re.match(rf"/v1/{family}(/|$)", path) for family in families)


def has_kind(schema):
    """Whether `object` tells what it is, as it does in all objects; an event's data has another object there."""
    return schema.get("properties", {}).get("object", {}).get("type") == "string"


def is_described(name, schema):
    """Objects of interest, and the parts of objects, which have no kind of their own."""
    return not has_kind(schema) or bool({name, schema.get("x-resourceId")} & objects)


class Extract:
    def __init__(self, description):
        self.described = description["components"]["schemas"]
        self.schemas = {}
        self.kept = {name for name, schema in self.described.items() if is_described(name, schema)}

    def reference(self, name):
        """The schema of that name; of what nobody is interested in, only of which kind it is."""
        schema = self.described[name]
        if name not in self.kept:
            kind = {"enum": schema["properties"]["object"].get("enum", [schema.get("x-resourceId", name)])}
            return {"type": "object", "required": ["object"], "properties": {"object": kind}}
        if name not in self.schemas:
            self.schemas[name] = None  # it may refer to itself
            self.schemas[name] = self.schema(schema)
        return {"$ref": name}

    def schema(self, schema):
        """Plain JSON Schema: OpenAPI's `nullable` is another type, and its extensions say nothing about the form."""
        if "$ref" in schema:
            return self.reference(schema["$ref"].rsplit("/", 1)[1])
        plain = {}
        for name, value in schema.items():
            if name in prose or name.startswith("x-") or name == "nullable":
                continue
            if name == "properties":
                plain[name] = {member: self.schema(each) for member, each in value.items()}
            elif name in ("anyOf", "oneOf", "allOf"):
                plain[name] = [self.schema(each) for each in value]
            elif name == "items" or (name == "additionalProperties" and isinstance(value, dict)):
                plain[name] = self.schema(value)
            elif name == "additionalProperties":
                continue  # members that the description does not know are welcome
            else:
                plain[name] = value
        if schema.get("nullable"):
            plain = {"anyOf": [plain, {"type": "null"}]}
        return plain

    def operation(self, method, path, described):
        operation = {"method": method.upper(), "path": path}
        if not is_of_family(path):
            return operation
        content = described["responses"]["200"].get("content", {})
        if "application/json" not in content:
            return operation
        operation["answers"] = self.schema(content["application/json"]["schema"])
        names = {each["name"] for each in described.get("parameters", []) if each["in"] == "query"}
        for body in described.get("requestBody", {}).get("content", {}).values():
            names |= set(body["schema"].get("properties", {}))
        operation["takes"] = sorted(names)
        return operation


def extract(description):
    made = Extract(description)
    operations = [
        made.operation(method, path, described)
        for path, methods in description["paths"].items()
        for method, described in methods.items()
    ]
    made.reference("error")
    return {"version": description["info"]["version"], "operations": operations, "schemas": made.schemas}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("files", nargs="+", type=pathlib.Path)
    arguments.add_argument("--into", required=True, type=pathlib.Path)
    given = arguments.parse_args()
    for path in given.files:
        extracted = extract(read(path))
        text = json.dumps(extracted, separators=(",", ":"), sort_keys=True)
        file = given.into / (extracted["version"] + ".json.gz")
        file.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        print(f"{file}: {len(extracted['operations'])} operations, {len(extracted['schemas'])} schemas, "
              f"{file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
