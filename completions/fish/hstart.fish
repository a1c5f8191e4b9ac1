# Written by `make completions`; the command itself knows what there is to offer.
function __hstart_complete
    set -l option (string match -r '^--[^=]+=' -- (commandline -ct))
    for line in (env _HSTART_COMPLETE=fish_complete COMP_WORDS=(commandline -cp) \
            COMP_CWORD=(commandline -ct) hstart 2>/dev/null </dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case plain
                echo "$option"$parts[2]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
        end
    end
end
complete -c hstart -f -k -a '(__hstart_complete)'
