#!/usr/bin/env bash
# Plans every pipeline against the base. Writes FOLDER/N.md, the first line of which is the marker of its comment, and
# FOLDER/N.state: unchanged, changed or failed. Mistakes become annotations of the changed lines.
#
# FTPC, PIPELINES, AGAINST, MACHINE, PARAMS: see action.yml.
set -euo pipefail

folder=$1
rm -rf "$folder"
mkdir -p "$folder"

base=$AGAINST
if [ -z "$base" ]; then
  # What is checked out is the merge of the pull request: its first parent is the base, and nothing of others shows.
  base="origin/${GITHUB_BASE_REF:?this is no pull request: say what to compare with in \`against\`}"
  git update-ref "refs/remotes/$base" 'HEAD^1'
fi

read -r -a ftpc <<<"$FTPC"
options=(--against "$base" --exit-code --format markdown)
if [ -n "$MACHINE" ]; then options+=(--machine "$MACHINE"); fi
params=()
while IFS= read -r param; do
  if [ -n "$param" ]; then params+=(-p "$param"); fi
done <<<"$PARAMS"

pathspecs=()
while IFS= read -r pathspec; do
  if [ -n "$pathspec" ]; then pathspecs+=("$pathspec"); fi
done <<<"${PIPELINES:?say in \`pipelines\` which}"
pipelines=()
while IFS= read -r -d '' pipeline; do
  case $pipeline in
    *.test.ftp) continue ;;
    -*) pipeline=./$pipeline ;;
  esac
  if [ -e "$pipeline" ]; then pipelines+=("$pipeline"); fi
done < <(git ls-files -z -- "${pathspecs[@]}")

number=0
changed=0
failed=0
for pipeline in ${pipelines[@]+"${pipelines[@]}"}; do
  number=$((number + 1))
  "${ftpc[@]}" check "$pipeline" ${params[@]+"${params[@]}"} --github || true
  status=0
  "${ftpc[@]}" plan "$pipeline" ${params[@]+"${params[@]}"} "${options[@]}" >"$folder/$number.md" || status=$?
  case $status in
    0) state=unchanged ;;
    2) state=changed changed=$((changed + 1)) ;;
    *) state=failed failed=$((failed + 1)) ;;
  esac
  echo "$state" >"$folder/$number.state"
  if [ "$state" != unchanged ]; then
    cat "$folder/$number.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
    echo >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
  fi
done

echo "$number pipelines: $changed changed, $failed failed"
{
  echo "changed=$changed"
  echo "failed=$failed"
} >>"${GITHUB_OUTPUT:-/dev/null}"
