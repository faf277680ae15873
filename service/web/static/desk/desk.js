// The desk's own script. Every flow works without it.
document.documentElement.classList.add("js");
