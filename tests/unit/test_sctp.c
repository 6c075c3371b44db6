/* test_sctp.c */
int main(void){return 77;}
