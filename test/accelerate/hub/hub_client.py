"""What huggingface_hub makes of a server: it uploads a folder to it, downloads a repository of it, and reads a model card.

python hub_client.py ENDPOINT TOKEN FOLDER REPOSITORY TARGET
"""

import hashlib
import json
import os
import sys

endpoint, token, folder, repository, target = sys.argv[1:]
os.environ["HF_HUB_DISABLE_XET"] = "1"

from huggingface_hub import HfApi, ModelCard, snapshot_download  # noqa: E402

api = HfApi(endpoint=endpoint, token=token)
api.create_repo("org/python", private=True, exist_ok=True)
api.upload_folder(
    repo_id="org/python", folder_path=folder, commit_message="From Python"
)
listed = sorted(api.list_repo_files("org/python"))

snapshot_download(repository, endpoint=endpoint, token=token, local_dir=target)
digests = {}
for name in sorted(os.listdir(target)):
    path = os.path.join(target, name)
    if os.path.isfile(path):
        with open(path, "rb") as file:
            digests[name] = hashlib.sha256(file.read()).hexdigest()
card = ModelCard.load(os.path.join(target, "README.md"))
results = [
    {
        "dataset": each.dataset_name,
        "metric": each.metric_type,
        "value": each.metric_value,
    }
    for each in card.data.eval_results or []
]
data = card.data.to_dict()
print(
    json.dumps(
        {
            "listed": listed,
            "digests": digests,
            "results": results,
            "license": data.get("license"),
            "library": data.get("library_name"),
            "tags": data.get("tags"),
        }
    )
)
