"""The examination itself: every check on a device, one after the other, each with its verdict."""

from __future__ import annotations

import numpy as np

from hardware_models.check import shown
from hardware_models.devices.adapted import adapted, original
from hardware_models.devices.base import BaseDevice, Device
from hardware_models.examination.quick import QUICK
from hardware_models.examination.verdict import Check, Examination, Failed, Skipped
from hardware_models.examination.whole import WHOLE
from hardware_models.user_faults import described


def examined(given: Device, *, quick: bool = False) -> Examination:
    """Return the verdicts on a device; quick: those of `QUICK` alone, which take a few milliseconds."""
    try:
        device = adapted(given)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a property of a user's own class
        return Examination(type(given).__name__, (Check(QUICK[0][0], False, described(error)),))
    done: list[Check] = []
    for name, check in QUICK if quick else (*QUICK, *WHOLE):
        try:
            with np.errstate(all="ignore"):  # numbers that overflow are found by the checks, in words
                done.append(Check(name, True, check(device) or "as it should be"))
        except Skipped as reason:
            done.append(Check(name, None, str(reason)))
        except Failed as failure:
            done.append(Check(name, False, str(failure)))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a user's own class does
            done.append(Check(name, False, described(error)))
        if done[-1].passed is False and name == QUICK[0][0]:
            break
    return Examination(_name(device), tuple(done))


def _name(device: BaseDevice) -> str:
    try:
        return shown(str(device.name), quoted=False)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return type(original(device)).__name__
