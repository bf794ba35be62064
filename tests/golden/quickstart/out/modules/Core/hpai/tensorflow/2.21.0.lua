help([[
TensorFlow 2.21.0: machine learning with Keras and XLA
https://www.tensorflow.org

Use
  module load hpai/tensorflow/2.21.0
  python script.py

It has a Python 3.11 of its own. Packages in ~/.local, in conda or in another
virtual environment are not seen, nor is a PYTHONPATH set before loading;
one that you set afterwards is.

Add packages of your own, or other versions, in a virtual environment on top
  module load hpai/tensorflow/2.21.0
  hpai venv ~/venvs/tensorflow-2.21.0
  source ~/venvs/tensorflow-2.21.0/bin/activate
  pip install PACKAGE
and from then on, in every shell and job, loaded or not
  source ~/venvs/tensorflow-2.21.0/bin/activate
or without that
  ~/venvs/tensorflow-2.21.0/bin/python script.py
In tcsh and fish the file is called activate.csh and activate.fish.
hpai venv --help tells of kernels, and how to move it to another release.

Where it lies
  $HPAI_TENSORFLOW_ROOT = /opt/hpai/pythons/tensorflow-2.21.0-3114d201eddb
  release 1 of quickstart

Set where you have not set them yourself
of the feature onednn
  TF_ENABLE_ONEDNN_OPTS=1

Packages (33)
  absl-py 2.5.1             opt-einsum 3.4.0
  astunparse 1.6.3          optree 0.20.0
  certifi 2026.10.18        packaging 26.3
  charset-normalizer 3.5.2  pip 26.3
  flatbuffers 25.12.19      protobuf 7.36.2
  gast 0.7.0                pygments 2.21.0
  google-pasta 0.2.0        requests 2.34.2
  grpcio 1.85.1             rich 15.0.0
  h5py 3.14.0               setuptools 84.2.1
  idna 3.20                 six 1.17.0
  keras 3.15.1              tensorflow-cpu 2.21.0
  libclang 18.1.1           termcolor 3.3.0
  markdown-it-py 4.3.0      typing-extensions 4.16.0
  mdurl 0.1.2               urllib3 2.8.0
  ml-dtypes 0.6.0           wheel 0.48.0
  namex 0.1.0               wrapt 2.5.2
  numpy 2.4.6
]])

whatis("Name: TensorFlow")
whatis("Version: 2.21.0")
whatis("Description: machine learning with Keras and XLA")
whatis("URL: https://www.tensorflow.org")
whatis("Category: AI and data science")
whatis("Keywords: Python, tensorflow, onednn")

family("hpai_framework")

local unloading = mode() == "unload"

-- Lmod reads this file again to undo it, and by then a newer release may have replaced it:
-- what was done at loading is told by the environment, not by this file.
local root = unloading and os.getenv("HPAI_TENSORFLOW_ROOT") or "/opt/hpai/pythons/tensorflow-2.21.0-3114d201eddb"
local release = unloading and os.getenv("HPAI_RELEASE") or "/opt/hpai/releases/1"

local function prepend(name, place, directory)
   prepend_path(name, pathJoin(place, directory))
end

-- A marker says what there is to undo: whether the variable was unset, or is on Lmod's stack, which was not
-- there before ("alone") or is shared with another module. Up to 8.7, Lmod keeps a stack that it has emptied and
-- would bring back its old value the next time: so one that we began goes with us. And within one command it
-- does not save a value to a stack that has just gone: so we push the value that is there first.
local function replace(name, value)
   local marker = "__HPAI_TENSORFLOW_" .. "HAD_" .. name
   local stack = "__LMOD_STACK_" .. name
   local had, now = os.getenv(marker), os.getenv(name)
   if unloading then
      if not had then return end
      setenv(marker, had)
      if had == "unset" then return setenv(name, value) end
      pushenv(name, value)
      if had == "alone" then setenv(stack, had) end
   elseif now ~= value then
      had = (now or "") == "" and "unset" or os.getenv(stack) and "shared" or "alone"
      setenv(marker, had)
      if had == "unset" then return setenv(name, value) end
      if had == "alone" then pushenv(name, now) end
      pushenv(name, value)
   end
end

-- An empty value may stay: it means none.
local function clear(name)
   if unloading or (os.getenv(name) or "") ~= "" then replace(name, false) end
end

-- Set only where the user has not, and taken back only where the user has not changed it since.
local function default(name, value)
   local marker = "__HPAI_TENSORFLOW_" .. "SET_" .. name
   local set = os.getenv(marker)
   if unloading then
      if set then setenv(marker, set) end
      if set and os.getenv(name) == set then setenv(name, set) end
   elseif not os.getenv(name) then
      -- It would break the whole command: Lmod does not quote these for csh.
      if myShellType() == "csh" and value:find("[!{}]") then
         return LmodMessage(name .. " is not set: Lmod cannot give csh a value with !, { or }")
      end
      setenv(name, value)
      setenv(marker, value)
   end
end

-- `module show` tells what happens to a user who has set nothing.
if mode() == "show" then
   replace, default = pushenv, setenv
   clear = function(name) pushenv(name, false) end
end

replace("HPAI_TENSORFLOW_ROOT", "/opt/hpai/pythons/tensorflow-2.21.0-3114d201eddb")
replace("HPAI_RELEASE", "/opt/hpai/releases/1")
prepend("PATH", release, "bin")
prepend("PATH", root, "bin")
clear("PYTHONHOME")
clear("PYTHONPATH")
clear("PYTHONPLATLIBDIR")
clear("PYTHONPYCACHEPREFIX")
clear("PYTHONSTARTUP")
clear("PYTHONEXECUTABLE")
clear("__PYVENV_LAUNCHER__")
clear("VIRTUAL_ENV")
clear("VIRTUAL_ENV_PROMPT")
clear("CONDA_DEFAULT_ENV")
clear("CONDA_PREFIX")
clear("CONDA_SHLVL")
replace("PYTHONNOUSERSITE", "1")
default("TF_ENABLE_ONEDNN_OPTS", "1")
