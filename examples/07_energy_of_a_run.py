"""The energy of a run: you see where its joules go, and what the same counts cost at another node."""

from analog_ff import Config, execute
from hardware_models.energy import load_technology, price

result, folder = execute(Config(data="toy", layers=(16,), epochs=1, batch=50, out="run"), quiet=True)
print("written to", folder)
conditions = result["energy"]["conditions"]
for node in ("cmos-32nm", "cmos-7nm"):
    joules = price(
        result["events"], result["integrals"], load_technology(node),
        read_time=conditions["read_time"]["value"], write_voltage=conditions["write_voltage"]["value"],
    )["learn"]  # fmt: skip
    largest = sorted(joules, key=lambda name: -joules[name])[:4]
    print(f"{node}: {1e6 * sum(joules.values()):.2f} uJ;", ", ".join(f"{n} {1e6 * joules[n]:.2f}" for n in largest))
