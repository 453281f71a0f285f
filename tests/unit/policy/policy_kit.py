"""The policy core with the kinds of requirements that the core addon brings."""

from functools import partial

import policy

BY_CODE = policy.by_code(policy.KINDS)
REQUIREMENT_KINDS = tuple(BY_CODE)

evaluate = partial(policy.evaluate, kinds=BY_CODE)
forecast = partial(policy.forecast, kinds=BY_CODE)
horizon = partial(policy.horizon, kinds=BY_CODE)
turning_points = partial(policy.turning_points, kinds=BY_CODE)
