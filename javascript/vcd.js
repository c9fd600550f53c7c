// The tab VCD. The WebUI runs this file; `python -m vcd_ext ui` runs it too.

// This browser's own name, by which the page knows the jobs that were begun here when it is loaded again.
if (!/(^|; )vcd_session=[0-9a-f]{32}(;|$)/.test(document.cookie)) {
    const name = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const secure = location.protocol === 'https:' ? '; secure' : '';
    document.cookie = `vcd_session=${name}; path=/; max-age=31536000; samesite=strict${secure}`;
}

(function() {
    const find = (selector) => (window.gradioApp ? gradioApp() : document).querySelector(selector);
    const UPLOADING = '.vcd-tab .generating';
    const PATIENCE = 5; // seconds without another answer after which it is asked again
    // By tab: the panel's last answer that was acted on, and whether the tab was in sight.
    const asked = {}, waited = {}, shown = {};

    // Asks for a tab's news when it comes into sight, for what it shows may be old, and then, as long as it is in sight,
    // every second while something is being done and every few seconds otherwise. It may have begun elsewhere; and an
    // answer from before a start that comes after the start's own would leave the page with the old state for good.
    // Tabs out of sight are not asked: at each answer Gradio draws the whole page anew.
    function ask(tab) {
        const tick = find(`#vcd_${tab}_tick`);
        if (!tick || find(UPLOADING)) return;
        const panel = find(`#vcd_${tab}_panel`);
        const before = shown[tab];
        shown[tab] = panel.offsetParent !== null;
        if (!shown[tab]) return;
        const answer = panel.querySelector('.vcd-active')?.dataset.at;
        waited[tab] = before && answer === asked[tab] ? waited[tab] + 1 : 0;
        if (waited[tab] === 0 || waited[tab] > PATIENCE) {
            asked[tab] = answer;
            waited[tab] = 0;
            tick.click();
        }
    }

    const askAll = () => ['train', 'face', 'tiled', 'compare'].forEach(ask);
    setInterval(askAll, 1000);
    document.addEventListener('click', (event) => {
        if (event.target.closest?.('.tab-nav')) setTimeout(askAll, 50); // once Gradio shows the tab
    });

    // Gradio's field for several files loses them, and waits for ever, when anything is answered during their upload.
    // So no news are asked for then; and where it has happened all the same, the files are given to it again.
    let given = null; // what a field was given last: the field and its files

    function remember(event) {
        const files = event.target.files || event.dataTransfer?.files;
        const field = event.target.closest?.('.vcd-tab .block');
        if (!files?.length || !field) return;
        const transfer = new DataTransfer(); // what was dropped can be read only as long as its event lasts
        for (const file of files) transfer.items.add(file);
        given = {field, files: transfer.files};
    }

    function giveAgain() {
        if (!given?.field.querySelector('.generating')) return;
        given.field.querySelector('button[aria-label="Clear"]')?.click();
        setTimeout(() => {
            const input = given.field.querySelector('input[type=file]');
            if (!input) return;
            input.files = given.files;
            input.dispatchEvent(new Event('change', {bubbles: true}));
        }, 500); // once Gradio has emptied it
    }

    for (const happened of ['change', 'drop']) document.addEventListener(happened, remember, true);
    new PerformanceObserver((list) => {
        const arrived = list.getEntries().some((entry) => new URL(entry.name).pathname.endsWith('/upload'));
        if (arrived) setTimeout(giveAgain, 1000); // by then Gradio has dealt with it
    }).observe({type: 'resource'});
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

// Fills in the first video and makes it, once its infotext is there: empty as long as something is missing.
window.vcdFirstVideo = function(text, title) {
    if (!text) return [];
    const prompt = text.split('\n')[0];
    const chosen = () => {
        const list = gradioApp().querySelector('#setting_sd_model_checkpoint input');
        return !list || list.value === title;
    };
    const filled = () => gradioApp().querySelector('#txt2img_prompt textarea').value === prompt &&
        gradioApp().querySelector('#vcd_txt2img-checkbox input')?.checked &&
        gradioApp().querySelector('#txt2img_width input').value === '128';
    // Runs once the page shows what was asked for; what never comes is given up after some time.
    const when = (shown, then) => {
        let looks = 0;
        const waiting = setInterval(() => {
            if (!shown() && ++looks < 300) return;
            clearInterval(waiting);
            if (shown()) then();
        }, 200);
    };
    // One after the other: the page answers slowly while a video is made. The checkpoint is loaded already, and its list
    // knows it once it is refreshed.
    gradioApp().querySelector('#refresh_sd_model_checkpoint')?.click();
    setTimeout(() => chosen() || selectCheckpoint(title), 2000);
    when(chosen, () => {
        gradioApp().querySelector('#vcd_txt2img_drawn_paste').click();
        when(filled, () => gradioApp().querySelector('#txt2img_generate').click());
    });
    return [];
};

// Before and after: two videos over each other that play in time, and a border between them that follows the mouse.
(function() {
    const DRIFT = 0.05; // seconds by which they may differ
    const within = (element, selector) => element.closest?.('.vcd-compare')?.querySelector(selector);

    function align(after) {
        const before = within(after, '.vcd-before');
        if (!before) return;
        if (Math.abs(before.currentTime - after.currentTime) > DRIFT && after.currentTime < before.duration) {
            before.currentTime = after.currentTime;
        }
        if (after.paused) before.pause();
        else before.play().catch(() => {});
        within(after, '.vcd-play').textContent = after.paused ? 'Play' : 'Pause';
        if (after.duration) within(after, '.vcd-time').value = after.currentTime / after.duration;
    }

    // Events of media do not bubble, but they can be captured.
    for (const happened of ['play', 'pause', 'seeked', 'timeupdate', 'loadeddata']) {
        document.addEventListener(happened, (event) => {
            if (event.target.classList?.contains('vcd-after')) align(event.target);
        }, true);
    }

    document.addEventListener('input', (event) => {
        const slider = event.target;
        if (slider.matches?.('.vcd-cut')) slider.closest('.vcd-compare').style.setProperty('--cut', slider.value + '%');
        if (slider.matches?.('.vcd-time')) {
            const after = within(slider, '.vcd-after');
            after.pause();
            if (after.duration) after.currentTime = slider.value * after.duration;
        }
    });

    document.addEventListener('click', (event) => {
        const button = event.target;
        const after = within(button, '.vcd-after');
        if (button.matches?.('.vcd-play')) after.paused ? after.play() : after.pause();
        if (button.matches?.('.vcd-mute')) {
            after.muted = !after.muted;
            button.textContent = after.muted ? 'Sound on' : 'Sound off';
        }
        if (button.matches?.('.vcd-send')) vcdSend(button.dataset.tab, button.dataset.title, button.dataset.path);
    });
})();

// Gives a file to the tab Face VCD or Tiled VCD, and shows that tab.
window.vcdSend = function(tab, title, path) {
    const show = (row, name) => [...document.querySelectorAll(`${row} > .tab-nav button`)]
        .find((button) => button.textContent.trim() === name)?.click();
    const field = document.querySelector(`#vcd_${tab}_path textarea, #vcd_${tab}_path input`);
    if (!field) return;
    field.value = path;
    field.dispatchEvent(new Event('input', {bubbles: true}));
    show('#tabs', 'VCD');
    show('#vcd_tabs', title);
    setTimeout(() => document.querySelector(`#vcd_${tab}_read`).click(), 100); // once Gradio has taken the path
    window.scrollTo(0, 0);
};

// The map of several people: as wide and high as the picture, over the last one, and boxes are drawn on it.
(function() {
    const tabOf = (map) => map.closest('#tab_img2img') ? 'img2img' : 'txt2img';
    const find = (selector) => gradioApp().querySelector(selector);
    let from = null; // where a box was begun: the map, and the corner in shares of it

    function paint() {
        if (!window.gradioApp) return;
        for (const map of gradioApp().querySelectorAll('.vcd-map')) {
            if (!map.offsetParent) continue;
            const [width, height] = ['width', 'height'].map((side) => find(`#${tabOf(map)}_${side} input`)?.value || 1);
            map.style.aspectRatio = `${width} / ${height}`;
            const picture = find(`#${tabOf(map)}_gallery_container .livePreview img, #${tabOf(map)}_gallery img`)?.src;
            map.style.backgroundImage = picture ? `url("${picture}")` : '';
        }
    }

    setInterval(paint, 1000);

    function corner(event, map) {
        const around = map.getBoundingClientRect();
        const share = (at, least, size) => Math.min(1, Math.max(0, (at - least) / size));
        return [share(event.clientX, around.left, around.width), share(event.clientY, around.top, around.height)];
    }

    function box(event) {
        const [x, y] = corner(event, from.map);
        return [Math.min(x, from.x), Math.min(y, from.y), Math.max(x, from.x), Math.max(y, from.y)];
    }

    document.addEventListener('mousedown', (event) => {
        const map = event.target.closest?.('.vcd-map');
        if (!map) return;
        const [x, y] = corner(event, map);
        map.querySelector('.vcd-drawn')?.remove();
        const shown = document.createElement('div');
        shown.className = 'vcd-region vcd-drawn';
        map.append(shown);
        from = {map, x, y, shown};
        event.preventDefault();
    });

    document.addEventListener('mousemove', (event) => {
        if (!from) return;
        const [left, top, right, bottom] = box(event).map((side) => 100 * side);
        const style = `left: ${left}%; top: ${top}%; width: ${right - left}%; height: ${bottom - top}%`;
        from.shown.style.cssText = style;
    });

    document.addEventListener('mouseup', (event) => {
        if (!from) return;
        const [left, top, right, bottom] = box(event);
        const field = find(`#vcd_${tabOf(from.map)}_people_drawn textarea, #vcd_${tabOf(from.map)}_people_drawn input`);
        if (right - left < 0.05 || bottom - top < 0.05) from.shown.remove(); // a click
        else if (field) {
            field.value = [left, top, right, bottom].map((side) => side.toFixed(2)).join(' ');
            updateInput(field);
        }
        from = null;
    });
})();
