"""What clients were told, to be held against what the store and the upstream say after a fault."""

from . import story


class Books:
    """Charges of a story's gateways. `told` has each answer by path and key."""

    def __init__(self, teller):
        self._story = teller
        self.told = {}

    def charge(self, count, *gateways):
        """So many charges, through the gateways in turn; each is answered."""
        for number in range(count):
            path, key = story.new_path(), story.new_key()
            answer = self._story.post(path, {}, key, via=gateways[number % len(gateways)])
            self._story.assert_first(answer)
            self.told[path, key] = answer

    def assert_kept(self, *gateways):
        """Every answer is what a retry gets, at every gateway, and nothing ran twice."""
        for (path, key), answer in self.told.items():
            for via in gateways:
                self._story.assert_replay(self._story.post(path, {}, key, via=via), answer)
            self._story.assert_effects(path, 1)

    def assert_unknown(self, *gateways):
        """Every answer is gone, openly, and nothing runs again."""
        for path, key in self.told:
            for via in gateways:
                answer = self._story.post(path, {}, key, via=via)
                self._story.assert_problem(answer, "outcome-unknown", retryable=False)
            self._story.assert_effects(path, 1)
