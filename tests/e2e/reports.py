"""reports.py SCHEMA FILE... - every line of the files is an event as the schema says. What is not is printed; status 1 then.
Status 77: there is nothing to check it with."""
import json
import sys

try:
    from jsonschema import Draft7Validator
except ImportError:
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as schema:
    validator = Draft7Validator(json.load(schema))

problems = 0
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as lines:
        for line in lines:
            try:
                errors = [error.message for error in validator.iter_errors(json.loads(line))]
            except ValueError as error:
                errors = [str(error)]
            if errors:
                problems += 1
                print(line.rstrip("\n"), *errors, sep="\n    ")
sys.exit(problems > 0)
