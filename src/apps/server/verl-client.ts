/**
 * A reward function for verl (`custom_reward_function.path`), which has no remote reward of its own: standard library
 * only. The question is taken from `extra_info`; verl's batch reward manager takes `compute_score_batch`.
 */
export function verlClient(url: string): string {
  return `"""Scores of ${url} for verl. The token is read from GRADUS_TOKEN."""
import json
import os
import urllib.request

URL = os.environ.get("GRADUS_URL", "${url}")


def compute_score_batch(data_sources, solution_strs, ground_truths, extra_infos, **kwargs):
    asked = [(info or {}).get("question") or (info or {}).get("prompt") or "" for info in extra_infos]
    lines = [{"prompt": str(q), "response": s} for q, s in zip(asked, solution_strs)]
    head = {"content-type": "application/json", "authorization": "Bearer " + os.environ["GRADUS_TOKEN"]}
    request = urllib.request.Request(URL + "/v1/rewards", json.dumps({"lines": lines}).encode(), head)
    with urllib.request.urlopen(request, timeout=600) as answer:
        scored = json.load(answer)["data"]
    if any(one["score"] is None for one in scored):
        raise ValueError("the reward model cannot score a solution")
    return [{"score": one["score"], "step_scores": one["scores"]} for one in scored]


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    return compute_score_batch([data_source], [solution_str], [ground_truth], [extra_info], **kwargs)[0]["score"]
`
}
