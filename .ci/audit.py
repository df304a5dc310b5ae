"""Known advisories for the pinned packages: python .ci/audit.py requirements.txt

Exit status 1 where a package has one. Where no database of advisories can be reached this says so and ends 0: a release
is audited on a machine that reaches one (docs/runbook.md).
"""

import json
import subprocess
import sys


def main(requirements: str) -> int:
    """Ask pip-audit and say what it found."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", requirements, "--require-hashes", "--disable-pip"]
    run = subprocess.run([*command, "--progress-spinner", "off", "--format", "json"], capture_output=True, text=True)
    try:
        packages = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"Not audited: no database of advisories could be reached.\n{run.stderr.strip()[-500:]}")
        return 0
    audited = [package for package in packages if "vulns" in package]
    affected = [package for package in audited if package["vulns"]]
    for package in affected:
        for advisory in package["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {advisory['id']}, mended in {fixed}")
    print(f"{len(audited)} of {len(packages)} packages audited, {len(affected)} with a known advisory.")
    if len(audited) < len(packages):
        print("The database of this machine does not know the others: audit a release where it does (docs/runbook.md).")
    return 1 if affected else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
