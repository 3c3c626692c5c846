"""A record of results, against which a change that should change nothing is held."""

import numpy as np
import record_outputs


def test_a_record_is_met_by_the_same_code_and_missed_by_one_bit(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("TEXT2LIP_DATA", raising=False)
    record, only = str(tmp_path / "before.npz"), ["--only", "timings"]
    assert record_outputs.main([record, *only]) == 0
    assert record_outputs.main([record, *only, "--compare"]) == 0
    arrays = dict(np.load(record))
    arrays["timings/0/frames"][3, 5, 5, 0] ^= 1
    np.savez(record, **arrays)
    assert record_outputs.main([record, *only, "--compare"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "timings: differs: timings/0/frames"


def test_there_are_cases_of_every_kind(tmp_path):
    names = record_outputs.cases(tmp_path, "echomimic")
    kinds = ("film", "references", "life", "ssml", "own_sound", "timings", "german", "chinese", "stream", "echomimic")
    assert len(names) > 20 and {*kinds} <= {*names}
