help([[
numpy 2.3.4

Use
  module load hpai/numpy/2.3.4
  python script.py

It has a Python 3.11 of its own. Packages in ~/.local, in conda or in another
virtual environment are not seen, nor is a PYTHONPATH set before loading;
one that you set afterwards is.

Add packages of your own, or other versions, in a virtual environment on top
  module load hpai/numpy/2.3.4
  hpai venv ~/venvs/numpy-2.3.4
  source ~/venvs/numpy-2.3.4/bin/activate
  pip install PACKAGE
and from then on, in every shell and job, loaded or not
  source ~/venvs/numpy-2.3.4/bin/activate
or without that
  ~/venvs/numpy-2.3.4/bin/python script.py
In tcsh and fish the file is called activate.csh and activate.fish.
hpai venv --help tells of kernels, and how to move it to another release.

Where it lies
  $HPAI_NUMPY_ROOT = /dss/hpai/pythons/numpy-2.3.4-4ad159fb15ed
  release 1 of containers

Packages (2)
  numpy 2.3.4  pip 26.3
]])

whatis("Name: numpy")
whatis("Version: 2.3.4")
whatis("Description: numpy with a Python of its own")
whatis("Category: AI and data science")
whatis("Keywords: Python, numpy")

family("hpai_framework")

local unloading = mode() == "unload"

-- Lmod reads this file again to undo it, and by then a newer release may have replaced it:
-- what was done at loading is told by the environment, not by this file.
local root = unloading and os.getenv("HPAI_NUMPY_ROOT") or "/dss/hpai/pythons/numpy-2.3.4-4ad159fb15ed"
local release = unloading and os.getenv("HPAI_RELEASE") or "/dss/hpai/releases/1"

local function prepend(name, place, directory)
   prepend_path(name, pathJoin(place, directory))
end

-- A marker says what there is to undo: whether the variable was unset, or is on Lmod's stack, which was not
-- there before ("alone") or is shared with another module. Up to 8.7, Lmod keeps a stack that it has emptied and
-- would bring back its old value the next time: so one that we began goes with us. And within one command it
-- does not save a value to a stack that has just gone: so we push the value that is there first.
local function replace(name, value)
   local marker = "__HPAI_NUMPY_" .. "HAD_" .. name
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
   local marker = "__HPAI_NUMPY_" .. "SET_" .. name
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

replace("HPAI_NUMPY_ROOT", "/dss/hpai/pythons/numpy-2.3.4-4ad159fb15ed")
replace("HPAI_RELEASE", "/dss/hpai/releases/1")
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
