help([[
vendor 24.05

Use
  module load hpai/vendor/24.05
  python script.py

It has a Python 3.10 of its own. Packages in ~/.local, in conda or in another
virtual environment are not seen, nor is a PYTHONPATH set before loading;
one that you set afterwards is.

In a container
Its programs run in an image, by Charliecloud; start them as any other,
also by mpirun and srun. Of this machine's files they see /tmp, /home, /dss,
and find programs and libraries in the image alone. Any other program of the
image, or of yours, runs there by
  vendor PROGRAM [ARGUMENT]...

Add packages of your own, or other versions, in a virtual environment on top
  module load hpai/vendor/24.05
  python -m venv --system-site-packages ~/venvs/vendor-24.05
  vendor ~/venvs/vendor-24.05/bin/pip install PACKAGE
and from then on, in every shell and job
  module load hpai/vendor/24.05
  vendor ~/venvs/vendor-24.05/bin/python script.py
Once activated, its python would be looked for outside of the container.

Where it lies
  in /dss/hpai/images/vendor-24.05-a36ea9217fd9.sqfs
  release 1 of containers

Set where you have not set them yourself
of the framework
  TF_ENABLE_ONEDNN_OPTS=1
]])

whatis("Name: vendor")
whatis("Version: 24.05")
whatis("Description: vendor with a Python of its own")
whatis("Category: AI and data science")
whatis("Keywords: Python, vendor")

family("hpai_framework")

local unloading = mode() == "unload"

-- Lmod reads this file again to undo it, and by then a newer release may have replaced it:
-- what was done at loading is told by the environment, not by this file.
local root = unloading and os.getenv("HPAI_VENDOR_ROOT") or "/dss/hpai/images/vendor-24.05-a36ea9217fd9"
local release = unloading and os.getenv("HPAI_RELEASE") or "/dss/hpai/releases/1"

local function prepend(name, place, directory)
   prepend_path(name, pathJoin(place, directory))
end

-- A marker says what there is to undo: whether the variable was unset, or is on Lmod's stack, which was not
-- there before ("alone") or is shared with another module. Up to 8.7, Lmod keeps a stack that it has emptied and
-- would bring back its old value the next time: so one that we began goes with us. And within one command it
-- does not save a value to a stack that has just gone: so we push the value that is there first.
local function replace(name, value)
   local marker = "__HPAI_VENDOR_" .. "HAD_" .. name
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
   local marker = "__HPAI_VENDOR_" .. "SET_" .. name
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

replace("HPAI_VENDOR_ROOT", "/dss/hpai/images/vendor-24.05-a36ea9217fd9")
replace("HPAI_RELEASE", "/dss/hpai/releases/1")
prepend("PATH", release, "bin")
prepend("PATH", release, "containers/vendor/bin")
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
