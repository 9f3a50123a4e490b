#!/usr/bin/env bash
# Keeps one comment per pipeline: updates the one that begins with its marker, or writes a new one if something has
# changed. Only comments of the workflow's own user are looked at, since anyone may write a marker.
#
# GH_TOKEN, REPOSITORY (owner/name), PULL_REQUEST (number).
set -euo pipefail

folder=$1
comments="repos/$REPOSITORY/issues/$PULL_REQUEST/comments"

for plan in "$folder"/*.md; do
  if [ ! -s "$plan" ]; then continue; fi
  state=$(cat "${plan%.md}.state")
  MARKER=$(head -n 1 "$plan")
  export MARKER
  own=$(gh api --paginate "$comments?per_page=100" \
    --jq '.[] | select(.user.login == "github-actions[bot]") | select(.body | startswith(env.MARKER)) | .id')
  own=${own%%$'\n'*}
  if [ -n "$own" ]; then
    gh api --silent --method PATCH "repos/$REPOSITORY/issues/comments/$own" --field "body=@$plan"
  elif [ "$state" != unchanged ]; then
    gh api --silent --method POST "$comments" --field "body=@$plan"
  fi
done
