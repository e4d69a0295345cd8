#!/bin/sh
# Makes a virtual environment for AutoGluon, apart from aurify's: sh benchmarks/tuning/autogluon_env.sh FOLDER
# Both presets of the race use these learners only; none of them fetches weights. Ray trains folds side by side.
set -eu
folder=${1:?a folder to make, such as /tmp/autogluon}
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet "autogluon.tabular[lightgbm,catboost,xgboost,fastai,ray]==1.6.*"
"$folder/bin/python" -c "import autogluon.tabular as tabular; print('autogluon', tabular.__version__)"
