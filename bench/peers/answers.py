"""A grader of answers on sympy, as a peer for `bench/answers-sympy.ts`.

What graders on sympy do in common: strip what surrounds the answer, turn the usual LaTeX into sympy's syntax, compare as
text, then as numbers, then ask `simplify(a - b) == 0`, with a limit of time a pair. Argument: a JSON file with {pairs}.
"""
import json
import re
import signal
import sys
import time

import sympy
from sympy.parsing.sympy_parser import implicit_multiplication_application, parse_expr, standard_transformations

SECONDS = 3
RULES = standard_transformations + (implicit_multiplication_application,)
GROUP = r"\{([^{}]*)\}"


def clean(text):
    text = text.strip().strip("$").strip()
    boxed = re.search(r"\\boxed\{(.*)\}", text)
    if boxed:
        text = boxed.group(1)
    text = re.sub(r"\\(left|right|displaystyle|,|;|!|:| )", "", text)
    text = re.sub(r"\\(text|mathrm|mbox)" + GROUP, r"\2", text)
    text = text.replace("\\%", "/100").replace("%", "/100").replace("\\$", "").replace("\\cdot", "*").replace("\\times", "*")
    text = text.replace("\\pi", "pi").replace("\\infty", "oo").replace("^\\circ", "")
    for _ in range(4):
        text = re.sub(r"\\[dt]?frac" + GROUP + GROUP, r"((\1)/(\2))", text)
        text = re.sub(r"\\sqrt\[([^\]]*)\]" + GROUP, r"((\2)**(1/(\1)))", text)
        text = re.sub(r"\\sqrt" + GROUP, r"sqrt(\1)", text)
        text = re.sub(r"\^" + GROUP, r"**(\1)", text)
    text = text.replace("^", "**").replace("\\{", "{").replace("\\}", "}")
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return text.rstrip(".").strip()


def parts(text):
    """The members of a list, set, tuple or interval; one where it is none."""
    if text[:1] in "([{" and text[-1:] in ")]}" and "," in text:
        return [text[0] + text[-1]] + [p.strip() for p in text[1:-1].split(",")]
    return [text]


def same(a, b):
    if a == b:
        return True
    if "=" in a and "=" in b:
        (al, ar), (bl, br) = a.split("=", 1), b.split("=", 1)
        return same(f"({al})-({ar})", f"({bl})-({br})")
    x, y = (parse_expr(t, transformations=RULES, evaluate=True) for t in (a, b))
    if x == y:
        return True
    if x.is_number and y.is_number:
        return bool(abs(sympy.N(x - y, 30)) < 1e-12)
    return bool(sympy.simplify(x - y) == 0)


def verdict(a, b):
    try:
        pa, pb = parts(clean(a)), parts(clean(b))
        if len(pa) != len(pb):
            return "different"
        return "equal" if all(same(x, y) for x, y in zip(pa, pb)) else "different"
    except Exception:
        return "different" if clean(a) != clean(b) else "equal"


def stop(*_):
    raise TimeoutError


signal.signal(signal.SIGALRM, stop)
said = []
began = time.process_time()
for a, b in json.load(open(sys.argv[1]))["pairs"]:
    signal.alarm(SECONDS)
    try:
        said.append(verdict(a, b))
    except TimeoutError:
        said.append("different")
    signal.alarm(0)
print(json.dumps({"sympy": sympy.__version__, "seconds": time.process_time() - began, "said": said}))
