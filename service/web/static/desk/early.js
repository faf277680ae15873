// Before anything is painted: what looks different where scripts run.
document.documentElement.classList.add("js");
