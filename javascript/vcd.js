// The tab VCD. The WebUI runs this file; `python -m vcd_ext ui` runs it too.

(function() {
    const find = (selector) => (window.gradioApp ? gradioApp() : document).querySelector(selector);
    const PATIENCE = 5; // seconds after which an answer that has not come is asked for again
    let asked = null; // the panel's last answer that was acted on; null: nothing was asked since the page was loaded
    let waited = 0;

    // Asks for news of the training: once when the page is loaded, then every second while something is being done.
    setInterval(function() {
        const tick = find('#vcd_train_tick');
        const active = find('.vcd-active');
        if (!tick || (asked !== null && !(active && active.offsetParent))) return;
        const answer = active ? active.dataset.at : '';
        waited = answer === asked ? waited + 1 : 0;
        if (waited === 0 || waited > PATIENCE) {
            asked = answer;
            waited = 0;
            tick.click();
        }
    }, 1000);
})();

// Takes away what was painted on the photo: Gradio keeps it when the photo changes.
window.vcdClearBrush = function() {
    document.querySelector('#vcd_train_sketch button[aria-label="Clear"]')?.click();
    return [];
};

// Sends a prompt to txt2img, turns VCD on there, and has a motion module chosen if none is.
window.vcdUse = function(prompt) {
    if (!prompt) return [];
    const field = gradioApp().querySelector('#txt2img_prompt textarea');
    field.value = prompt;
    updateInput(field);
    inputAccordionChecked('vcd_txt2img', true);
    gradioApp().querySelector('#vcd_txt2img_use')?.click();
    switch_to_txt2img();
    window.scrollTo(0, 0);
    return [];
};
